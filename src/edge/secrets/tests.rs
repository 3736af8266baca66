#[cfg(unix)]
use std::fs;

use secrecy::ExposeSecret;

use super::*;

/// What every secret of these tests contains, and no message may.
const CANARY: &str = "canary";

fn reference(text: &str) -> SecretReference {
    SecretReference::parse(text, "notion.token", "config.toml:2").expect("a reference")
}

async fn fetch(text: &str, variables: &[(&str, &str)]) -> Result<String, SecretError> {
    let environment = variables.iter().copied().collect();
    resolve(&reference(text), &environment, &Readings::default()).await.map(|secret| secret.expose_secret().to_owned())
}

#[track_caller]
fn check_refused(fetched: Result<String, SecretError>, expected: &str) {
    let error = fetched.expect_err("refused");
    let (text, all) = (error.to_string(), format!("{error} {error:?} {}", error.hint()));
    assert!(text.ends_with(expected), "{text}");
    assert!(text.contains("(set as `notion.token` at config.toml:2)"), "{text}");
    assert!(!all.contains(CANARY), "{all}");
}

/// A file with a secret, readable by its owner alone.
#[cfg(unix)]
fn secret_file(directory: &tempfile::TempDir, content: &[u8]) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = directory.path().join("token");
    fs::write(&path, content).expect("writes");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("sets");
    path
}

#[test]
fn references_are_shown_as_they_were_written() {
    for text in [
        "env:NOTION_TOKEN",
        "keyring:notion",
        if cfg!(windows) { r"file:C:\run\token" } else { "file:/run/token" },
        "file:~/token",
        "credential:notion",
        r#"command:["op"]"#,
    ] {
        assert_eq!(reference(text).to_string(), text);
    }
}

#[test]
fn what_may_be_a_secret_in_a_reference_is_not_shown() {
    for (text, shown) in [
        (r#"command:["op", "read", "canary"]"#, r#"command:["op", …]"#),
        ("env:my_canary_0123456789", "env:…"),
        ("keyring:canaryY2xvY2tpZnk", "keyring:…"),
        ("credential:canary0123456789", "credential:…"),
        (r#"command:["canary0123456789"]"#, r#"command:["…"]"#),
    ] {
        let reference = reference(text);
        assert_eq!(reference.to_string(), shown);
        assert!(!format!("{reference:?}").contains(CANARY), "{reference:?}");
    }
}

#[tokio::test]
async fn a_secret_in_the_place_of_a_name_is_not_repeated() {
    check_refused(fetch("env:my_canary_0123456789", &[]).await, "the environment variable … is not set");
    let missing = fetch(r#"command:["canary0123456789"]"#, &[("PATH", "/usr/bin")]).await;
    check_refused(missing, "there is no program `…` in PATH");
}

#[test]
fn what_is_no_reference_is_never_repeated() {
    let cases = [
        "ntn_canary",
        "canary:canary",
        "envv:canary",
        "env:",
        "env:A=canary",
        "env:1canary",
        "env:canary0123+/456789=",
        "env:canäry",
        "file:canary",
        "credential:../canary",
        "credential:canary/x",
        "command:canary",
        "command:[]",
        r#"command:["./canary"]"#,
        r#"command:["", "canary"]"#,
    ];
    for text in cases {
        let error = SecretReference::parse(text, "notion.token", "here").expect_err(text);
        assert!(!format!("{error} {error:?} {}", error.hint()).contains(CANARY), "{error}");
    }
    let error = SecretReference::parse("envv:X", "notion.token", "here").expect_err("no scheme").to_string();
    assert!(error.ends_with("did you mean `env:`?"), "{error}");
}

#[test]
fn a_token_in_the_place_of_a_variable_is_no_reference() {
    for token in [
        "ntn_canary",
        "secret_canary",
        "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5",
        "canarycanarycanarycanarycanarycanarycanary",
        "canary0123456789",
    ] {
        let error = SecretReference::parse(&format!("env:{token}"), "notion.token", "here").expect_err(token);
        assert_eq!(error, NotAReference::IsToken, "{token}");
        assert!(!format!("{error} {error:?} {}", error.hint()).contains(CANARY), "{error}");
    }
    for name in ["NOTION_TOKEN", "notion_token_of_2026", "_T", "A_NAME_OF_MORE_THAN_FORTY_CHARACTERS_IN_CAPITALS_2"] {
        assert!(SecretReference::parse(&format!("env:{name}"), "notion.token", "here").is_ok(), "{name}");
    }
}

#[tokio::test]
async fn whatever_key_it_was_the_log_hears_of_it() {
    let readings = Readings::default();
    let environment = [("T", "canary")].into_iter().collect();
    for (text, key) in [("env:T", "notify.webhook"), ("env:U", "notion.token")] {
        let reference = SecretReference::parse(text, key, "config.toml:2").expect("a reference");
        drop(resolve(&reference, &environment, &readings).await);
    }
    let error = "the secret `env:U` (set as `notion.token` at config.toml:2) cannot be used: the environment variable U is not set";
    assert_eq!(
        readings.take(),
        [
            What::SecretRead { key: "notify.webhook".into(), reference: "env:T".into() },
            What::SecretRefused { error: error.into() }
        ]
    );
    assert_eq!(readings.take(), []);
}

#[tokio::test]
async fn variables() {
    assert_eq!(fetch("env:T", &[("T", " canary\n")]).await.expect("a secret"), "canary");
    check_refused(fetch("env:T", &[("U", "canary")]).await, "the environment variable T is not set");
    check_refused(fetch("env:T", &[("T", "")]).await, "the environment variable T is not set");
    check_refused(fetch("env:T", &[("T", "  ")]).await, "it is empty");
    let blanks = "it has spaces, line ends or control characters inside, which no token has";
    check_refused(fetch("env:T", &[("T", "canary canary")]).await, blanks);
    check_refused(fetch("env:T", &[("T", "canary\u{1b}x")]).await, blanks);
    for quoted in ["\"canary\"", "'canary'", "canary\"", "“canary”"] {
        check_refused(fetch("env:T", &[("T", quoted)]).await, "it stands in quotation marks, which no token has");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn files_and_credentials() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    let home = directory.path().to_str().expect("UTF-8");
    let path = secret_file(&directory, b"canary\n");

    assert_eq!(fetch(&format!("file:{}", path.display()), &[]).await.expect("a secret"), "canary");
    assert_eq!(fetch("file:~/token", &[("HOME", home)]).await.expect("a secret"), "canary");
    assert_eq!(fetch("credential:token", &[("CREDENTIALS_DIRECTORY", home)]).await.expect("a secret"), "canary");
    check_refused(fetch("file:~/token", &[]).await, "there is no home directory to put for `~`");
    check_refused(fetch("credential:token", &[]).await, "CREDENTIALS_DIRECTORY is not set");
    check_refused(fetch(&format!("file:{home}"), &[]).await, "is not a regular file");
    check_refused(fetch("file:~/none", &[("HOME", home)]).await, "No such file or directory (os error 2)");

    secret_file(&directory, "x".repeat(65 * 1024).as_bytes());
    check_refused(fetch("file:~/token", &[("HOME", home)]).await, "it is longer than 65536 bytes");
    secret_file(&directory, b"canary\xff");
    check_refused(fetch("file:~/token", &[("HOME", home)]).await, "it is not text");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("sets");
    let error = fetch("file:~/token", &[("HOME", home)]).await;
    check_refused(error, &format!("others than its owner may read or write {}", path.display()));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_can_be_exchanged_is_not_read() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let directory = tempfile::tempdir().expect("a directory");
    let path = secret_file(&directory, b"canary");
    let mode = |mode| fs::set_permissions(directory.path(), fs::Permissions::from_mode(mode)).expect("sets");
    let text = format!("file:{}", path.display());

    for open in [0o770, 0o722] {
        mode(open);
        let expected =
            format!("others may write the directory {}, and put another file in its place", directory.path().display());
        check_refused(fetch(&text, &[]).await, &expected);
        let hint = fetch(&text, &[]).await.expect_err("refused").hint();
        assert!(hint.ends_with(&format!("chmod go-w '{}'", directory.path().display())), "{hint}");
    }
    // As in /tmp.
    mode(0o1777);
    assert_eq!(fetch(&text, &[]).await.expect("a secret"), "canary");

    let link = directory.path().join("link");
    symlink(&path, &link).expect("links");
    let text = format!("file:{}", link.display());
    assert_eq!(fetch(&text, &[]).await.expect("a secret"), "canary");
}

#[cfg(unix)]
#[tokio::test]
async fn a_secret_is_kept_for_its_owner_alone() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let directory = tempfile::tempdir().expect("a directory");
    let home = directory.path().to_str().expect("UTF-8");
    let environment: Environment = [("HOME", home)].into_iter().collect();
    let keep_as =
        async |text: &str, secret: &str| keep(&reference(text), &SecretString::from(secret), &environment).await;
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;

    keep_as("file:~/new/token", "canary1").await.expect("kept");
    let file = directory.path().join("new/token");
    assert_eq!((mode(&directory.path().join("new")), mode(&file)), (0o700, 0o600));
    assert_eq!(fetch("file:~/new/token", &[("HOME", home)]).await.expect("a secret"), "canary1");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("sets");
    keep_as("file:~/new/token", "canary2").await.expect("kept");
    assert_eq!(mode(&file), 0o600, "it is no longer open to others");
    assert_eq!(fetch("file:~/new/token", &[("HOME", home)]).await.expect("a secret"), "canary2");

    symlink(&file, directory.path().join("link")).expect("links");
    fs::create_dir(directory.path().join("shared")).expect("a directory");
    fs::set_permissions(directory.path().join("shared"), fs::Permissions::from_mode(0o777)).expect("sets");
    let cases = [
        ("file:~/link", "is a symbolic link, and is not replaced", "name the file that it leads to"),
        ("file:~/new", "is not a regular file", "a readable file"),
        ("file:~/shared/token", "and put another file in its place", "chmod go-w"),
        ("env:T", "punchlist can only read what is kept there", "whoever sets the variable"),
        ("credential:token", "punchlist can only read what is kept there", "LoadCredential="),
        (r#"command:["op"]"#, "punchlist can only read what is kept there", "the password manager"),
    ];
    for (text, problem, hint) in cases {
        let error = keep_as(text, "canary3").await.expect_err(text);
        assert!(error.to_string().contains("cannot be kept: ") && error.to_string().ends_with(problem), "{error}");
        assert!(error.hint().contains(hint), "{}", error.hint());
        assert!(!format!("{error} {error:?} {}", error.hint()).contains(CANARY), "{error:?}");
    }
    assert_eq!(fs::read_to_string(&file).expect("there"), "canary2");
    assert!(!directory.path().join("shared/token").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn commands() {
    let path =
        [("PATH", "relative:/usr/bin:/bin"), ("NOTION_TOKEN", "canary"), ("LC_ALL", "C"), ("OP_SESSION", "open")];
    let sh = |script: &str| format!("command:{:?}", ["sh", "-c", script]);

    assert_eq!(fetch(&sh("echo canary"), &path).await.expect("a secret"), "canary");
    // A helper has no use for the other token.
    let given = fetch(&sh("env | cut -d= -f1 | sort | tr '\\n' ,"), &path).await.expect("names of variables");
    assert_eq!(given.trim_matches(','), "LC_ALL,OP_SESSION,PATH,PWD", "sh adds PWD");
    // No shell comes between: what would be one is an argument.
    assert_eq!(fetch(r#"command:["printf", "%s", "$HOME;`id`"]"#, &path).await.expect("a secret"), "$HOME;`id`");
    assert_eq!(fetch(&sh("cat; echo canary"), &path).await.expect("standard input is empty"), "canary");
    check_refused(fetch(&sh("echo canary >&2; exit 3"), &path).await, "the command failed (exit status: 3)");
    check_refused(fetch(&sh("exit 0"), &path).await, "it is empty");
    check_refused(fetch(&sh("yes canary"), &path).await, "it is longer than 65536 bytes");
    check_refused(
        fetch(r#"command:["no-such-program"]"#, &path).await,
        "there is no program `no-such-program` in PATH",
    );
    check_refused(fetch(r#"command:["/no/such/program"]"#, &path).await, "No such file or directory (os error 2)");
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_command_that_hangs_is_given_up() {
    // The paused clock leaps to the deadline as soon as there is nothing to do but wait.
    let hanging = fetch(r#"command:["sleep", "3600"]"#, &[("PATH", "/usr/bin:/bin")]).await;
    check_refused(hanging, "the command did not answer within 30 seconds");
}
