//! The cache plugin's commands (CTL-120 to 127). Their arguments come split by shell rules and counted.

use crate::base::value::Value;
use crate::ctl::dialogue::Dialogue;
use crate::ctl::pprint::pretty;
use crate::ctl::trouble::Trouble;

/// The namespace, whatever the plugin's section is called.
fn call(dialogue: &mut Dialogue<'_>, method: &str, words: &[&str]) -> Result<Value, Trouble> {
    let params: Vec<Value> = words.iter().map(|word| Value::from(*word)).collect();
    dialogue.remote.call(&format!("cache.{method}"), &params)
}

/// As Python shows it (CTL-130), or as JSON.
fn show(dialogue: &mut Dialogue<'_>, value: &Value) -> Result<(), Trouble> {
    match dialogue.wants_json() {
        true => dialogue.say_json(value),
        false => dialogue.say(&pretty(value)),
    }
}

/// CTL-120.
pub fn clear(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    call(dialogue, "clear", words).map(drop)
}

/// CTL-121.
pub fn count(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    let count = call(dialogue, "getCount", words)?;
    show(dialogue, &count)
}

/// CTL-122.
pub fn delete(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    call(dialogue, "delete", words).map(drop)
}

/// CTL-123.
pub fn fetch(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    let value = call(dialogue, "fetch", words)?;
    show(dialogue, &value)
}

/// CTL-124.
pub fn keys(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    let keys = call(dialogue, "getKeys", words)?;
    show(dialogue, &keys)
}

/// CTL-125.
pub fn store(dialogue: &mut Dialogue<'_>, words: &[&str]) -> Result<(), Trouble> {
    call(dialogue, "store", words).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctl::scripted::{Script, fault as failing, one_shot};

    fn text(text: &str, status: i32) -> (String, i32) {
        (text.to_string(), status)
    }

    /// CTL-120 to CTL-125 and CACHE-041.
    #[test]
    fn cache_041_transcript() {
        let run = |line, method, answer: Value, call: &str| {
            let mut script = Script::new([(method, Ok(answer))]);
            let result = one_shot(&mut script, line);
            assert_eq!(script.calls, [call]);
            result
        };
        let empty = Value::Array(vec![]);
        assert_eq!(run("cache_keys", "cache.getKeys", empty, "cache.getKeys()"), text("[]\n", 0));
        let stored = run("cache_store 'foo' 'bar baz'", "cache.store", true.into(), "cache.store('foo', 'bar baz')");
        assert_eq!(stored, text("", 0));
        let fetched = run("cache_fetch 'foo'", "cache.fetch", "bar baz".into(), "cache.fetch('foo')");
        assert_eq!(fetched, text("'bar baz'\n", 0));
        let keys = run("cache_keys", "cache.getKeys", Value::strings(["foo"]), "cache.getKeys()");
        assert_eq!(keys, text("['foo']\n", 0));
        assert_eq!(run("cache_count", "cache.getCount", 12.into(), "cache.getCount()"), text("12\n", 0));
        assert_eq!(run("cache_delete foo", "cache.delete", true.into(), "cache.delete('foo')"), text("", 0));
        assert_eq!(run("cache_clear", "cache.clear", true.into(), "cache.clear()"), text("", 0));
    }

    #[test]
    fn ctl_126_wrong_counts_show_the_help_line() {
        for (line, usage) in [
            ("cache_clear x", "cache_clear\t"),
            ("cache_count x", "cache_count\t"),
            ("cache_keys ''", "cache_keys\t"),
            ("cache_delete", "cache_delete <key>\t"),
            ("cache_fetch a b", "cache_fetch <key>\t"),
            ("cache_store a", "cache_store <key> <value>\t"),
            ("cache_store a b c", "cache_store <key> <value>\t"),
        ] {
            let (out, status) = one_shot(&mut Script::new([]), line);
            assert!(out.starts_with(usage) && out.lines().count() == 1, "{out}");
            assert_eq!(status, 0);
        }
    }

    /// The word is taken for the flag only where it is one too many.
    #[test]
    fn values_as_json() {
        let run = |line, method, answer: Value| one_shot(&mut Script::new([(method, Ok(answer))]), line);
        let keys = Value::strings(["a\"b", "é"]);
        assert_eq!(run("cache_keys --json", "cache.getKeys", keys), text("[\n  \"a\\\"b\",\n  \"é\"\n]\n", 0));
        assert_eq!(run("cache_count --json", "cache.getCount", 2.into()), text("2\n", 0));
        for line in ["cache_fetch --json foo", "cache_fetch foo --json"] {
            let mut script = Script::new([("cache.fetch", Ok(Value::Nil))]);
            assert_eq!(one_shot(&mut script, line), text("null\n", 0));
            assert_eq!(script.calls, ["cache.fetch('foo')"]);
        }
        let mut script = Script::new([("cache.fetch", Ok(Value::Double(1.5)))]);
        assert_eq!(one_shot(&mut script, "cache_fetch --json"), text("1.5\n", 0));
        assert_eq!(script.calls, ["cache.fetch('--json')"]);
    }

    #[test]
    fn ctl_127_faults_and_quotes() {
        let (out, status) = one_shot(&mut Script::new([("cache.fetch", failing(10))]), "cache_fetch x");
        assert!(out.starts_with("error: <class 'xmlrpc.client.Fault'>, <Fault 10: 'BAD_NAME'>: file: "), "{out}");
        assert_eq!(status, 1);
        let (out, status) = one_shot(&mut Script::new([]), "cache_fetch 'x");
        assert!(out.starts_with("error: <class 'ValueError'>, No closing quotation: file: "), "{out}");
        assert_eq!(status, 1);
    }
}
