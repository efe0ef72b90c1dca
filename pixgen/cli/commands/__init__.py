"""The commands, one module each; ``pixgen.cli.app`` lists them.

In come the parsed options of a command. Out come calls of the studio, and what they print. Shared options and output
are in the modules of ``pixgen.cli`` that begin with an underscore; heavy modules are imported when a command runs.
"""
