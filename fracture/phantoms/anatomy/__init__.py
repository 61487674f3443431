"""The shapes that a phantom is made of: bone, fractures, implants, the body around them."""
