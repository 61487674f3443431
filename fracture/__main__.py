"""``python -m fracture``."""

import sys

from fracture.cli.main.main import main

sys.exit(main())
