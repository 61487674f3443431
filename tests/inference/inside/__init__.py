"""Looking into a served network."""
