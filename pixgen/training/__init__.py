"""Training of the bundled models: ``python -m pixgen.training``.

In come openly licensed drawings, which ``data`` fetches and ``compose`` puts into captioned pictures. Out come, by
``models`` and ``export``, the weights and tables in ``assets/pocket``.
"""
