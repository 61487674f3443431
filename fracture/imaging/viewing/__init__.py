"""What a person looks at, in full depth, and changes before it is classified."""
