"""The only Streamlit code in the package: cached loads and the widgets that pages share."""
