"""What protects a page that strangers visit: signed sessions, response headers, slow logins, bounded uploads
and events.

Requests come in. They pass unchanged, later, or are answered with a sentence that says why not."""
