"""The Python behind single fields: plain functions whose parameters name the columns they need."""
