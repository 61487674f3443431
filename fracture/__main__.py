"""``python -m fracture``."""

import sys

from fracture.cli.main import main

sys.exit(main())
