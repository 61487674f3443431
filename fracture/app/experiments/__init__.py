"""The pages Playground and Labs."""
