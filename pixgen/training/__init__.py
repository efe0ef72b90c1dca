"""Training of the bundled models: ``python -m pixgen.training``.

In come openly licensed drawings. Out come the weights and tables in ``assets/pocket``."""
