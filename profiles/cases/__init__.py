"""Cases: what customers wait for. `handling` writes them, `presenting` reads them for pages."""
