"""``python -m pixgen``."""

from pixgen.cli.app import main

raise SystemExit(main())
