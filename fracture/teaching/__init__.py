"""What a class does with the app: it reads images as the model does, votes on them, and compares."""
