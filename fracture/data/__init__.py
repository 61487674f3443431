"""What a radiograph and a data set are."""
