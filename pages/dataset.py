"""The former address of the page Data."""

from fracture.app.shared.widgets import ensure_routed, lead_to

ensure_routed("dataset")
lead_to("data")
