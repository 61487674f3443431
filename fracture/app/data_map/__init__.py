"""The page *Data map*: images as points, near each other where their features are alike."""
