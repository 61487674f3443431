"""The page *Inside the network*: from the pixels over the maps of its blocks to the logit."""
