//! Whether everything can be read: the contrast of every style in the palettes that terminals come with.

use strum::VariantArray;

use super::*;
use crate::domain::action::Action;

/// What text needs against what is behind it (WCAG 2.2, 1.4.3).
const CONTRAST_MIN: f64 = 4.5;

/// The 16 colours of a terminal as it is published, and its own text on its own background, dark and light.
struct Palette {
    name: &'static str,
    colours: [u32; 16],
    grounds: &'static [(u32, u32)],
}

#[rustfmt::skip]
const PALETTES: &[Palette] = &[
    Palette {
        name: "xterm",
        colours: [
            0x0000_0000, 0x00cd_0000, 0x0000_cd00, 0x00cd_cd00, 0x0000_00ee, 0x00cd_00cd, 0x0000_cdcd, 0x00e5_e5e5,
            0x007f_7f7f, 0x00ff_0000, 0x0000_ff00, 0x00ff_ff00, 0x005c_5cff, 0x00ff_00ff, 0x0000_ffff, 0x00ff_ffff,
        ],
        grounds: &[(0x00e5_e5e5, 0x0000_0000), (0x0000_0000, 0x00ff_ffff)],
    },
    Palette {
        name: "PuTTY",
        colours: [
            0x0000_0000, 0x00bb_0000, 0x0000_bb00, 0x00bb_bb00, 0x0000_00bb, 0x00bb_00bb, 0x0000_bbbb, 0x00bb_bbbb,
            0x0055_5555, 0x00ff_5555, 0x0055_ff55, 0x00ff_ff55, 0x0055_55ff, 0x00ff_55ff, 0x0055_ffff, 0x00ff_ffff,
        ],
        grounds: &[(0x00bb_bbbb, 0x0000_0000), (0x0000_0000, 0x00ff_ffff)],
    },
    Palette {
        name: "conhost",
        colours: [
            0x0000_0000, 0x0080_0000, 0x0000_8000, 0x0080_8000, 0x0000_0080, 0x0080_0080, 0x0000_8080, 0x00c0_c0c0,
            0x0080_8080, 0x00ff_0000, 0x0000_ff00, 0x00ff_ff00, 0x0000_00ff, 0x00ff_00ff, 0x0000_ffff, 0x00ff_ffff,
        ],
        grounds: &[(0x00c0_c0c0, 0x0000_0000), (0x0000_0000, 0x00ff_ffff)],
    },
    Palette {
        name: "Windows Terminal",
        colours: [
            0x000c_0c0c, 0x00c5_0f1f, 0x0013_a10e, 0x00c1_9c00, 0x0000_37da, 0x0088_1798, 0x003a_96dd, 0x00cc_cccc,
            0x0076_7676, 0x00e7_4856, 0x0016_c60c, 0x00f9_f1a5, 0x003b_78ff, 0x00b4_009e, 0x0061_d6d6, 0x00f2_f2f2,
        ],
        grounds: &[(0x00cc_cccc, 0x000c_0c0c), (0x000c_0c0c, 0x00ff_ffff)],
    },
    Palette {
        name: "GNOME Terminal",
        colours: [
            0x0017_1421, 0x00c0_1c28, 0x0026_a269, 0x00a2_734c, 0x0012_488b, 0x00a3_47ba, 0x002a_a1b3, 0x00d0_cfcc,
            0x005e_5c64, 0x00f6_6151, 0x0033_da7a, 0x00e9_ad0c, 0x002a_7bde, 0x00c0_61cb, 0x0033_c7de, 0x00ff_ffff,
        ],
        grounds: &[(0x00d0_cfcc, 0x0017_1421), (0x0017_1421, 0x00ff_ffff)],
    },
    Palette {
        name: "macOS Terminal",
        colours: [
            0x0000_0000, 0x0099_0000, 0x0000_a600, 0x0099_9900, 0x0000_00b2, 0x00b2_00b2, 0x0000_a6b2, 0x00bf_bfbf,
            0x0066_6666, 0x00e5_0000, 0x0000_d900, 0x00e5_e500, 0x0000_00ff, 0x00e5_00e5, 0x0000_e5e5, 0x00e5_e5e5,
        ],
        grounds: &[(0x00ff_ffff, 0x0000_0000), (0x0000_0000, 0x00ff_ffff)],
    },
    Palette {
        name: "VS Code, dark",
        colours: [
            0x0000_0000, 0x00cd_3131, 0x000d_bc79, 0x00e5_e510, 0x0024_72c8, 0x00bc_3fbc, 0x0011_a8cd, 0x00e5_e5e5,
            0x0066_6666, 0x00f1_4c4c, 0x0023_d18b, 0x00f5_f543, 0x003b_8eea, 0x00d6_70d6, 0x0029_b8db, 0x00e5_e5e5,
        ],
        grounds: &[(0x00cc_cccc, 0x001e_1e1e)],
    },
    Palette {
        name: "VS Code, light",
        colours: [
            0x0000_0000, 0x00cd_3131, 0x0010_7c10, 0x0094_9800, 0x0004_51a5, 0x00bc_05bc, 0x0005_98bc, 0x0055_5555,
            0x0066_6666, 0x00cd_3131, 0x0014_ce14, 0x00b5_ba00, 0x0004_51a5, 0x00bc_05bc, 0x0005_98bc, 0x00a5_a5a5,
        ],
        grounds: &[(0x0033_3333, 0x00ff_ffff)],
    },
];

fn luminance(colour: u32) -> f64 {
    let part = |shift: u32| {
        let part = f64::from((colour >> shift) & 0xFF) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0)
}

fn contrast(one: u32, other: u32) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// A colour as a palette has it.
fn seen(colour: Option<Color>, own: u32, palette: &Palette) -> u32 {
    let of_16 = |number: usize| palette.colours[number];
    match colour {
        None | Some(Color::Reset) => own,
        Some(Color::Black) => of_16(0),
        Some(Color::LightGreen) => of_16(10),
        Some(Color::LightYellow) => of_16(11),
        Some(Color::LightCyan) => of_16(14),
        Some(Color::Indexed(number @ 16..=231)) => {
            let step = |part: u8| if part == 0 { 0 } else { 55 + 40 * u32::from(part) };
            let number = number - 16;
            (step(number / 36) << 16) | (step(number / 6 % 6) << 8) | step(number % 6)
        }
        Some(Color::Indexed(number @ 232..)) => (8 + 10 * u32::from(number - 232)) * 0x01_0101,
        Some(other) => panic!("{other:?} cannot be read everywhere"),
    }
}

fn actions() -> impl Iterator<Item = Action> {
    Action::counted().chain([Action::Accept])
}

/// Every style that something is drawn in.
fn styles(theme: Theme) -> Vec<Style> {
    let of_actions = actions().flat_map(|action| [theme.action(action), theme.sign(action)]);
    let others = [
        theme.dim(),
        theme.alert(),
        theme.alert_mark(),
        theme.bad(),
        theme.good(),
        theme.good_mark(),
        theme.accent(),
        theme.found(),
        theme.removed(),
        theme.added(),
        Theme::bold(),
        Theme::cursor(),
        Theme::selected(),
    ];
    of_actions.chain(others).collect()
}

/// The least contrast of a style in a palette, on the grounds that its theme is for.
fn least(name: ThemeName, style: Style, palette: &Palette) -> f64 {
    let is_dark = |ground: &u32| luminance(*ground) < 0.2;
    let meant = palette.grounds.iter().filter(|(_, ground)| match name {
        ThemeName::Dark => is_dark(ground),
        ThemeName::Light => !is_dark(ground),
        ThemeName::Terminal | ThemeName::HighContrast | ThemeName::Mono => true,
    });
    let of_ground =
        meant.map(|&(text, ground)| contrast(seen(style.fg, text, palette), seen(style.bg, ground, palette)));
    of_ground.fold(f64::INFINITY, f64::min)
}

#[test]
fn every_style_can_be_read_in_every_palette() {
    for &name in ThemeName::VARIANTS {
        for style in styles(Theme { name, unicode: true }) {
            assert!(!style.add_modifier.contains(Modifier::DIM), "{name:?}: some terminals halve what is faint");
            for palette in PALETTES {
                let contrast = least(name, style, palette);
                assert!(contrast >= CONTRAST_MIN, "{name:?} in {}: {style:?} has {contrast:.1} : 1", palette.name);
            }
        }
    }
}

#[test]
fn printed_plans_can_be_read_in_every_palette() {
    for action in actions() {
        let style = crate::face::text::colour(action);
        for palette in PALETTES {
            let of = |colour: Option<anstyle::Color>, own| match colour {
                None => own,
                Some(anstyle::Color::Ansi(colour)) => {
                    palette.colours[usize::from(anstyle::Ansi256Color::from(colour).0)]
                }
                Some(other) => panic!("{other:?}"),
            };
            for &(text, ground) in palette.grounds {
                let contrast = contrast(of(style.get_fg_color(), text), of(style.get_bg_color(), ground));
                assert!(contrast >= CONTRAST_MIN, "{}: {action} has {contrast:.1} : 1", palette.name);
            }
        }
    }
}

#[test]
fn the_colours_of_contrast_are_those_of_the_standard() {
    assert!((contrast(0x00_0000, 0x00ff_ffff) - 21.0).abs() < 0.01);
    assert!((contrast(0x0077_7777, 0x00ff_ffff) - 4.48).abs() < 0.01);
}
