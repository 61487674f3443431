"""InceptionV3 as a backbone: its layers, its features, the devices it runs on."""
