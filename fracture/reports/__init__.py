"""An answer as a document to keep: one HTML file, or one PDF."""
