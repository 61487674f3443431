"""Boxes as object detection stores them, in YOLO's and COCO's files, and the labels that their classes give."""
