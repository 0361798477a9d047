"""Files of health records, each format read into tables of texts or native values."""
