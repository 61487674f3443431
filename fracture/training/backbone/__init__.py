"""InceptionV3, frozen: its layers, its features, the devices it runs on."""
