"""Pictures: stills, and explorers, which are figures with sliders. One module per chapter."""
