"""A stand-in for the network that reconstructs where an S2 happened.

The network itself is not public and needs jax. Here the position is the centre of the light on the
top array. It is too close to the middle of the detector, but has the same input and shape, and is
reproducible.
"""

from collections.abc import Callable

import numpy as np
import straxen

CENTROID_PROTOCOL = "light-centroid"
CONTOUR_RADIUS_CM = 1.0

Prediction = tuple[np.ndarray, np.ndarray]


@straxen.URLConfig.register(CENTROID_PROTOCOL)
def light_centroid(
    positions: list[list[float]], n_poly: int = 16, **_unused
) -> Callable[[np.ndarray], Prediction]:
    """The function that a `cnf_pred_function` must be.

    :param positions: x and y of each PMT of the top array, cm.
    :param n_poly: corners of the contour around a position.
    :return: takes an array (entries, PMTs + 1) of fractions of light and returns positions
        (entries, 2) and contours (entries, n_poly + 1, 2), cm.
    """
    xy_of_pmt = np.array(positions)
    angle = np.linspace(0, 2 * np.pi, int(n_poly) + 1)
    circle = CONTOUR_RADIUS_CM * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def predict(flow_condition: np.ndarray) -> Prediction:
        fractions = np.nan_to_num(flow_condition[:, : len(xy_of_pmt)])
        xy = fractions @ xy_of_pmt
        return xy, xy[:, np.newaxis, :] + circle[np.newaxis]

    return predict
