"""Where in an image a finding may be: boxes with a probability, from a place map or by a network of their own."""
