"""The images of a data set: filters and findings in a rail, tiles, and one study in the viewer."""
