"""The former address of the table and the comparison of runs, which the page Models shows now."""

from fracture.app.shared.widgets import ensure_routed, lead_to

ensure_routed("runs")
lead_to("models")
