"""The head alone: one unit on the features of a frozen backbone."""
