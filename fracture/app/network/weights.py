"""The class-activation map as a weighted sum: another weight of one channel, and map and logit follow."""

import numpy as np
import streamlit as st
from scipy.special import expit

from fracture.app.network.channels import NOTHING, choose_channel, labels_in_words, show_map
from fracture.app.network.passes import Network
from fracture.app.shared.widgets import escape_markdown, learn_more
from fracture.inference.inside.head import WeightedMaps

STEPS = 40
"""Of the slider, from one end to the other."""


def show_weights(network: Network) -> None:
    """The network's own map, the map with one weight changed, and beside them the slider and both logits."""
    head = network.head
    left, middle, right = st.columns(3, gap="medium")
    with right:
        channel = choose_channel(head, "weighted channel")
        changed = head.reweighted(channel, _choose_weight(head, channel))
        _show_logits(network, head, changed)
    scale = float(np.abs(head.activation_map()).max())
    with left:
        show_map(network, head.activation_map(), scale, "Class-activation map with the learned weights")
        st.caption(f"Learned weights. {labels_in_words(network)}")
    with middle:
        show_map(network, changed.activation_map(), scale, f"Class-activation map with another weight of {channel}")
        st.caption(f"With this weight of channel {channel}, in the same colors.")
    st.caption(_limits_of_the_map(head))
    learn_more(
        "learn weights",
        "- The class-activation map is the sum of the 2,048 maps of mixed10, each times its weight (Zhou et al., CVPR "
        "2016). No gradient is needed, and nothing is estimated.\n"
        "- Its mean plus the bias is the logit. So the map says where the evidence comes from, as far as the cells "
        "go: each sees much more of the picture than its own square.\n"
        "- Another weight changes the map by that channel's map alone, and the logit by its mean.",
    )


def _choose_weight(head: WeightedMaps, channel: int) -> float:
    """A slider around the learned weight; it starts over with each channel."""
    learned = float(head.weights[channel])
    reach = 10 * max(float(np.abs(head.weights).max()), NOTHING)
    key = f"weight of channel {channel} {learned:.6f}"
    left, right = st.columns((3, 1), vertical_alignment="bottom")
    with right:
        st.button(
            "Reset", icon=":material/undo:", key="reset weight", on_click=_reset, args=(key,), help="The learned weight"
        )
    with left:
        offset: float = st.slider("Change of its weight", -reach, reach, 0.0, 2 * reach / STEPS, "%+.3f", key=key)
    st.caption(f"Learned {learned:+.3f}, now {learned + offset:+.3f}.")
    return learned + offset


def _reset(key: str) -> None:
    st.session_state[key] = 0.0


def _show_logits(network: Network, head: WeightedMaps, changed: WeightedMaps) -> None:
    temperature = network.model.card.temperature or 1.0
    with st.container(horizontal=True):
        difference = changed.logit - head.logit
        st.metric("Logit", f"{changed.logit:.3f}", f"{difference:+.3f}", "off", width=130)
        before = float(expit(head.logit / temperature))
        after = float(expit(changed.logit / temperature))
        points = f"{(after - before) * 100:+.1f} points"
        positive = escape_markdown(network.model.labels[1])
        st.metric(f"Probability of {positive}", f"{after:.1%}", points, "off", width=190)


def _limits_of_the_map(head: WeightedMaps) -> str:
    """What holds for this model: whether the map is all of the logit."""
    alone = "Of this image alone: *Classify* also asks the mirror image, and shows the mean."
    if abs(head.cells) <= NOTHING:
        return f"The logit is the mean of the map plus the bias. {alone}"
    return (
        f"This network was also trained on boxes: its likeliest cell adds {head.cells:+.3f} to the logit, which no "
        f"weight here changes, and the heat map on *Classify* shows those cells, not this map. {alone}"
    )
