"""What the router draws around every page: the style sheet, presenting, the page's terms, and the resume link."""
