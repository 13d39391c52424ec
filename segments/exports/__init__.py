"""Lists that leave the product: asked for, made by a job, sealed, fetched, and measured against those held out."""
