"""Regressors: features (n_rows, n_features) to latents (n_rows, latent_size).

scikit-learn estimators behind one seam, ``fit(X, y)`` and ``predict(X)``; `table.py` lists them by name,
`storage.py` writes and reads them without pickle. scikit-learn is imported when the first one is built.
"""

from gesturemap.regressors.table import (
    DEFAULT_REGRESSOR,
    REGRESSORS,
    RegressorInfo,
    find_regressor,
    make_regressor,
    regressor_settings,
)

__all__ = [
    "DEFAULT_REGRESSOR",
    "REGRESSORS",
    "RegressorInfo",
    "find_regressor",
    "make_regressor",
    "regressor_settings",
]
