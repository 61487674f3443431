"""The quiz: a visitor reads twenty images, and compares with the model."""
