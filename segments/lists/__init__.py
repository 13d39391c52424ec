"""Lists of customers that are uploaded: whom their ids lead to, and how they are kept."""
