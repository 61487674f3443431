"""Phantoms: study, view, render, truth, physics and the anatomy."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from fracture.imaging.annotations import boxes_to_mask
from fracture.phantoms.anatomy.fractures import KINDS, sample_fracture
from fracture.phantoms.anatomy.geometry import Grid, box, ellipsoid, elliptic_cylinder, rods
from fracture.phantoms.anatomy.humerus import Fragment, Humerus
from fracture.phantoms.anatomy.implants import sample_hardware
from fracture.phantoms.anatomy.person import TRAPS, Finding, Person, sample_finding, sample_person
from fracture.phantoms.physics import ATTENUATION, transmission
from fracture.phantoms.render import render_view
from fracture.phantoms.study import generate_study
from fracture.phantoms.view import PHANTOM_VIEWS, Opening, PhantomView, sample_views

MM = 0.5
"""Distance of rays in mm where volumes are summed up."""


def rays(across: float, top: float, bottom: float):
    """A plane of rays through the bone: t and s, each (H, W)."""
    return np.meshgrid(np.arange(-across, across, MM), np.arange(top, bottom, MM))


@pytest.fixture
def person() -> Person:
    return sample_person(np.random.default_rng(3), 0.2)


@pytest.fixture
def view(person) -> PhantomView:
    """A view of the upper arm without a collimator's edge, marker or inversion."""
    drawn = sample_views(np.random.default_rng(4), person, Finding("upper"), 0.0)[0]
    return replace(drawn, opening=Opening((0, 0), (np.inf, np.inf), 0), marked=False)


def broken(person: Person, hardness: float, seed: int) -> Finding:
    rng = np.random.default_rng(seed)
    return Finding("upper", sample_fracture(rng, person.bone, (80.0, 125.0), hardness))


def crack(person: Person, seed: int) -> Finding:
    """A fracture in which nothing has moved."""
    rng = np.random.default_rng(seed)
    return Finding("upper", sample_fracture(rng, person.bone, (80.0, 125.0), 1.0, reduced=True))


@pytest.mark.slow
def test_generate_study_same_seed_gives_the_same_pixels():
    """Neither earlier studies, nor the number of views, nor the process matters."""
    first = generate_study(5, 2)
    generate_study(5, 1), generate_study(6, 2)
    again = generate_study(5, 2)
    assert all((one.pixels == other.pixels).all() for one, other in zip(first, again, strict=True))
    assert (generate_study(5, 2, views=1)[0].pixels == first[0].pixels).all()
    code = (
        "import hashlib\nfrom fracture.phantoms.study import generate_study\n"
        "print(hashlib.sha256(b''.join(each.pixels.tobytes() for each in generate_study(5, 2))).hexdigest())"
    )
    printed = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout for _ in range(2)]
    assert printed[0] == printed[1]


def test_generate_study_another_seed_patient_or_study_differs():
    """Each number of the key counts."""
    pictures = [generate_study(*key, views=1)[0].pixels for key in ((5, 2, 1), (6, 2, 1), (5, 3, 1), (5, 2, 2))]
    for index, one in enumerate(pictures):
        assert all((one != other).any() for other in pictures[index + 1 :])


@pytest.mark.slow
@pytest.mark.parametrize("difficulty", [0.0, 0.5, 1.0])
def test_generate_study_truth_fits_the_image(difficulty):
    """Negatives have none; positives have one, within the image, and boxes hold every pixel of the mask."""
    for patient in range(3):
        for abnormal in (False, True):
            for each in generate_study(1, patient, difficulty=difficulty, abnormal=abnormal):
                truth = each.truth
                assert each.pixels.shape == truth.mask.shape == (512, 512)
                assert each.pixels.std() > 8, "a picture, not an even gray"
                assert truth.abnormal == abnormal
                assert bool(truth.boxes) == abnormal == bool(truth.mask.any())
                assert not (truth.mask & ~boxes_to_mask(truth.boxes, 512, 512)).any()
                assert (truth.words == "nothing abnormal") == (not abnormal)


def test_humerus_from_every_view_has_the_same_volume(person):
    """From whatever side, the rays meet the same volume of bone, at the same heights: mass is conserved."""
    t, s = rays(70, -40, 330)
    sums = [
        person.bone.bone(t, s, np.radians(angle), Fragment())[0].sum(axis=1) * MM for angle in PHANTOM_VIEWS.values()
    ]
    shaft = (s[:, 0] > 60) & (s[:, 0] < 240)  # at the ends the parts' union is filled up a little
    for other in sums[1:]:
        assert other.sum() == pytest.approx(sums[0].sum(), rel=0.02)
        np.testing.assert_allclose(other[shaft], sums[0][shaft], rtol=0.04)
    wider = replace(person.bone, width=person.bone.width * 1.1)
    assert wider.bone(t, s, 0.0, Fragment())[0].sum() * MM > sums[0].sum() * 1.1


@pytest.mark.slow
@pytest.mark.parametrize("angle", [0.0, 0.8, 1.6])
def test_fragment_that_leans_keeps_its_volume(person, angle):
    """Towards the viewer it looks shorter, and its rays run longer through it."""
    t, s = rays(320, -40, 420)
    straight = broken(person, 0.0, 1).fracture.fragments[-1]
    straight = replace(straight, shift=(0, 0, 0), tilt=(0, 0), turn=0)
    volume = person.bone.bone(t, s, angle, straight)[0].sum()
    leaning = person.bone.bone(t, s, angle, replace(straight, tilt=(0.2, 0.6)))[0].sum()
    assert leaning == pytest.approx(volume, rel=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_hardware_from_every_view_has_the_same_volume(seed):
    """A plate or nail is as heavy from the front as from the side."""
    t, s = rays(60, -60, 330)
    hardware = replace(sample_hardware(np.random.default_rng(seed), Humerus(), (20.0, 230.0)), screws=())
    volumes = [hardware.path(t, s, angle, Humerus()).sum() for angle in (0.0, 0.7, 1.5)]
    assert volumes == pytest.approx([np.mean(volumes)] * 3, rel=0.03)


@pytest.mark.slow
def test_generate_study_each_finding_has_a_box():
    """A fracture and hardware are two boxes, in every view, at whatever difficulty."""
    for patient in range(15):
        difficulty = patient % 3 / 2
        for each in generate_study(2, patient, difficulty=difficulty, abnormal=True, views=2):
            named = bool(each.truth.fracture) + bool(each.truth.hardware)
            assert len(each.truth.boxes) == named, (patient, difficulty, each.truth.words)


@pytest.mark.parametrize("seed", range(8))
def test_fragments_put_back_are_the_bone(seed):
    """Put back in place and without a gap, the parts of a broken bone are the bone."""
    bone = Humerus()
    t, s = rays(70, -40, 330)
    fracture = sample_fracture(np.random.default_rng(seed), bone, (70.0, 240.0), 0.3)
    whole = bone.bone(t, s, 0.4, Fragment())[0]
    parts = [replace(each, shift=(0, 0, 0), tilt=(0, 0), turn=0, gap=0) for each in fracture.fragments]
    together = sum(bone.bone(t, s, 0.4, each)[0] for each in parts)
    assert together.sum() == pytest.approx(whole.sum(), rel=0.01)
    assert np.abs(together - whole).max() < 0.15 * whole.max()


def test_fragment_moved_is_the_inverse_of_own():
    """Where a point of a fragment has gone, the fragment's own frame finds it again."""
    fragment = Fragment(sample_fracture(np.random.default_rng(1), Humerus(), (100.0, 200.0), 0.0).fragments[-1].above)
    fragment = replace(fragment, shift=(4.0, -7.0, -5.0), tilt=(0.4, -0.3), turn=0.2)
    for phi in (0.0, 0.8, 1.6):
        t, s, _ = fragment.own(*map(np.array, fragment.moved(12.0, 250.0, phi)), phi)
        assert (float(t), float(s)) == pytest.approx((12.0, 250.0))


@pytest.mark.slow
def test_render_view_crack_changes_less_than_a_displaced_fracture(person, view):
    """On average and nearly always, in the same view."""
    whole = render_view(np.random.default_rng(0), person, Finding("upper"), view)
    counts = []
    for seed in range(6):
        changed = []
        for finding in (crack(person, seed), broken(person, 0.0, seed)):
            lower = finding.fracture.fragments[-1]
            taken = replace(view, pose=replace(view.pose, lower=lower, swelling=finding.swelling))
            picture = render_view(np.random.default_rng(0), person, finding, taken)
            difference = np.abs(
                picture.pixels.astype(int) - np.median(picture.pixels.astype(int) - whole.pixels) - whole.pixels
            )
            changed.append(int((difference > 12).sum()))
        counts.append(changed)
    cracks, displaced = np.array(counts).T
    assert cracks.mean() < displaced.mean() / 5
    assert (cracks < displaced).all()


@pytest.mark.parametrize("seed", range(4))
def test_render_view_mask_covers_the_crack(person, view, seed):
    """Bone that is missing in comparison to the whole bone is under the mask."""
    t, s = view.pose.along(view.grid.u[None, :], view.grid.v[:, None])
    finding = crack(person, seed)
    whole = person.bone.bone(t, s, view.pose.phi, Fragment())[0]
    cracked = sum(person.bone.bone(t, s, view.pose.phi, each)[0] for each in finding.fracture.fragments)
    picture = render_view(np.random.default_rng(0), person, finding, view)
    mask = picture.truth.mask[:, ::-1] if person.side == "R" else picture.truth.mask
    missing = whole - cracked > 0.2
    assert missing.sum() > 20
    assert (missing & mask).sum() > 0.98 * missing.sum()


def test_render_view_hardware_is_bright_and_under_the_mask(person, view):
    """Metal lets less through than bone, and the truth says where it is."""
    hardware = sample_hardware(np.random.default_rng(2), person.bone, (20.0, 130.0))
    picture = render_view(np.random.default_rng(0), person, Finding("upper", hardware=hardware), view)
    without = render_view(np.random.default_rng(0), person, Finding("upper"), view)
    assert picture.truth.hardware in ("plate", "nail")
    gain = picture.pixels.astype(float) - without.pixels
    assert gain[picture.truth.mask].mean() > 40
    assert abs(gain[~picture.truth.mask]).mean() < 6


def test_samplers_give_every_kind_trap_and_view():
    """At middle difficulty, all fractures, both kinds of hardware, all traps and all views occur."""
    rng, bone = np.random.default_rng(0), Humerus()
    assert {sample_fracture(rng, bone, (20.0, 230.0), 0.5).kind for _ in range(80)} == set(KINDS)
    assert {sample_hardware(rng, bone, (20.0, 230.0)).name for _ in range(20)} == {"plate", "nail"}
    people = [sample_person(np.random.default_rng(seed), 0.5) for seed in range(120)]
    assert {trap for each in people for trap in each.traps} == {"growth plates", *TRAPS}
    assert {each.name for person in people[:12] for each in sample_views(rng, person, Finding("whole"), 0.5)} == set(
        PHANTOM_VIEWS
    )


@pytest.mark.slow
def test_sample_fracture_harder_is_less_displaced():
    """The harder, the less displacement, and the more traps."""
    moved, traps = [], []
    for hardness in (0.0, 0.5, 1.0):
        drawn = [sample_fracture(np.random.default_rng(seed), Humerus(), (20.0, 230.0), hardness) for seed in range(60)]
        moved.append(np.mean([each.displacement for each in drawn]))
        traps.append(np.mean([len(sample_person(np.random.default_rng(seed), hardness).traps) for seed in range(60)]))
    assert moved[0] > 2 * moved[1] > 4 * moved[2]
    assert traps[0] < traps[1] < traps[2]


FORMER_FINDINGS = (
    ("plate", "", 0), ("", "transverse", 5.22), ("plate", "", 0), ("plate", "transverse", 0),
    ("nail", "transverse", 0), ("", "comminuted", 4.45), ("plate", "oblique", 0), ("", "oblique", 0),
)  # fmt: skip
"""Hardware, fracture and mm of abnormal studies in version 0.1.0: patients 1 to 8, seed 1, difficulty 0.5."""


def test_sample_finding_without_a_hardware_share_is_that_of_version_0_1():
    """A plan that was written before the share gives the findings of its time."""
    found = []
    for patient in range(1, 9):
        bone = sample_person(np.random.default_rng(np.random.SeedSequence(1, spawn_key=(patient, 0))), 0.25).bone
        rng = np.random.default_rng(np.random.SeedSequence(1, spawn_key=(patient, 1)))
        finding = sample_finding(rng, bone, 0.25, abnormal=True, hardware_share=None)
        fracture, hardware = finding.fracture, finding.hardware
        found.append(
            (
                hardware.name if hardware else "",
                fracture.kind if fracture else "",
                round(fracture.displacement, 2) if fracture else 0,
            )
        )
    assert tuple(found) == FORMER_FINDINGS


@pytest.mark.parametrize("hardness", [0.0, 1.0])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_sample_finding_shows_hardware_in_its_share_of_abnormal_studies(share, hardness):
    """The share holds at any difficulty, and exactly at its ends; the other abnormal studies are fractured."""
    sampled = [
        sample_finding(np.random.default_rng(seed), Humerus(), hardness, abnormal=True, hardware_share=share)
        for seed in range(200)
    ]
    assert all(each.fracture or each.hardware for each in sampled)
    found = float(np.mean([each.hardware is not None for each in sampled]))
    assert found == pytest.approx(share, abs=0.1 if 0 < share < 1 else 0)


def test_sample_fracture_obvious_is_displaced_and_leans():
    """At the default difficulty nearly every fracture has moved by a quarter of the shaft's width, most by half."""
    bone = Humerus()
    plain = []
    for obvious in (False, True):
        sampled = [
            sample_fracture(np.random.default_rng(seed), bone, (70.0, 240.0), 0.04, obvious=obvious)
            for seed in range(200)
        ]
        moved = [each.displacement > bone.half_width(150) / 2 and each.angulation > 9 for each in sampled]
        plain.append(float(np.mean(moved)))
    assert plain[1] > 0.98
    assert np.mean([each.displacement > bone.half_width(150) for each in sampled]) > 0.8
    assert plain[0] < plain[1] - 0.1


def test_sample_views_framing_is_no_shortcut():
    """The part is sampled before the finding: images with and without one are equally large."""
    widths = {}
    for patient in range(60):
        for abnormal in (False, True):
            person = sample_person(np.random.default_rng(patient), 0.1)
            finding = broken(person, 0.1, patient) if abnormal else Finding("upper")
            grid = sample_views(np.random.default_rng(patient), person, finding, 0.1)[0].grid
            widths.setdefault(abnormal, []).append(float(np.ptp(grid.u)))
    assert widths[True] == pytest.approx(widths[False])


def test_geometry_path_lengths_by_hand():
    """Closed forms give the known lengths."""
    t = np.array([0.0, 3.0, 5.1])
    assert elliptic_cylinder(t, 0.0, (0, 0), 5, 5).length == pytest.approx([10, 8, 0])
    assert elliptic_cylinder(np.array([0.0]), np.pi / 2, (0, 0), 5, 2).length == pytest.approx([10])
    assert ellipsoid(t, np.zeros(3), 0.3, (0, 0, 0), (5, 5, 9)).length == pytest.approx([10, 8, 0])
    assert box(np.array([0.0, 3.0]), 0.0, np.pi / 2, (1, 3), 2).length == pytest.approx([2, 0])
    grid = Grid(np.linspace(-10, 10, 81), np.linspace(-10, 10, 81))
    whole, inside = rods(grid, [(-5, 0), (5, 0)], (2, 2), insets=(0, 1))
    assert (whole.max(), inside.max()) == pytest.approx((4, 2))
    assert whole[40, 0] == 0


def test_elliptic_cylinder_turned_keeps_its_area():
    """An ellipse that is turned keeps its area."""
    t = np.arange(-12, 12, 0.01)
    for phi in (0.0, 0.5, 1.1):
        area = elliptic_cylinder(t, phi, (1.0, 2.0), 7, 3).length.sum() * 0.01
        assert area == pytest.approx(np.pi * 21, rel=1e-3)


def test_transmission_beam_hardens():
    """Beer and Lambert's law for each energy: each further centimeter of bone absorbs less than the one before."""
    passed = transmission({"bone": np.array([0.0, 10.0, 20.0, 30.0])}, 0.5)
    assert passed[0] == pytest.approx(1)
    taken = -np.diff(np.log(passed))
    assert taken[0] > taken[1] > taken[2] > 10 * min(ATTENUATION["bone"])
    assert transmission({"bone": np.array([10.0])}, 1.0) > transmission({"bone": np.array([10.0])}, 0.0)
