"""Data sets from elsewhere: Kaggle, FracAtlas, zip files."""
