"""The programs that run a served graph: LiteRT, and OpenVINO where it is installed and faster."""
