"""The full depth of images, and the changes made to them before they are classified."""
