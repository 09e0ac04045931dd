//! Adapters of a few lines of shell, which are wrong in the way that a test is about.

/// An adapter that behaves until it is asked for an object.
pub(crate) fn adapter(on_create: &str) -> String {
    let functions = r#"
        ok() { echo "{\"id\":$id,\"reply\":\"ok\"$1}"; }
        say() { echo "{\"id\":$id,\"reply\":$1}"; }
        while read -r line; do
            id=${line#*\"id\":}; id=${id%%,*}
            case $line in
    "#;
    let hello = hello("odd", 1);
    format!(
        "{functions} *'\"hello\"'*) {hello} ;;
            *'\"create\"'*) {on_create} ;;
            *) ok ;;
            esac
            case $line in *'\"bye\"'*) exit ;; esac
        done"
    )
}

/// Answers the first request, in the shell's words.
pub(crate) fn hello(name: &str, protocol: u32) -> String {
    let hello = serde_json::json!({
        "id": 1, "reply": "ok", "protocol": protocol, "name": name, "version": "1",
        "starts": ["fork"], "objects_reach": "start", "objects": {"lock": []},
    });
    format!("echo '{hello}'")
}
