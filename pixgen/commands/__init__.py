"""The commands of ``python -m pixgen``, a file each."""
