"""The anatomy of a phantom: bone, fractures, implants, and the body around them."""
