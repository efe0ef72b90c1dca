"""``python -m pixgen``."""

from pixgen.cli import main

raise SystemExit(main())
