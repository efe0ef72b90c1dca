"""The commands, one module each. ``pixgen.cli.app`` lists them; shared options and output are in
``pixgen.cli``'s modules with an underscore. Every command imports heavy modules when it runs."""
