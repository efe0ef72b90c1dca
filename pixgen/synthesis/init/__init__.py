"""The initial picture: noise, a given picture, or a sketch, for the whole canvas or region by region.

In come the recipe and its opened pictures. Out comes a drawer that holds the picture of step 0."""
