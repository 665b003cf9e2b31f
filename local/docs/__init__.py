"""Documents that are written from the code: OpenAPI, event schemas, diagrams, pictures."""
