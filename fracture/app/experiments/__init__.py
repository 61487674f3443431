"""The playground and the labs."""
