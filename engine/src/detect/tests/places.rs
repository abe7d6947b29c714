//! Secrets told by their place: command lines, credential files, statements, pairs, lists. `§` stands for the secret.

use super::{redact, rules};
use crate::detect::{RuleSet, Scratch};

const CRED: &str = "[REDACTED:credential]";

/// Long enough to be believed in a sentence, and nobody's.
const SECRET: &str = "hunter2-Kp";

/// Of RFC 2617's example.
const DIGEST: &str = "6629fae49393a05397450978507c4ef1";

const PLACES: &[&str] = &[
    "mysql -u root -p§ -h db",
    "[{\"command\": [\"redis-server\", \"--requirepass\", \"§\"]}]",
    "command: [\"redis-server\", \"--requirepass\", \"§\"]\n",
    "args:\n  - --db-password\n  - §\n  - --verbose\n",
    "useradd -m -p $(openssl passwd -6 §) ops",
    "chpasswd <<< \"root:§\"",
    "printf \"§\\n\" | passwd bob",
    "CREATE USER 'a'@'%' IDENTIFIED WITH caching_sha2_password BY '§';",
    "SET PASSWORD FOR 'bob'@'%' = PASSWORD('§');",
    "smtp.login('mailer', '§')",
    "ldap_bind($l, 'cn=x', '§');",
    "new Sequelize('db', 'user', '§', { dialect: 'mysql' })",
    "username admin privilege 15 secret §",
    "snmp-server user m g v3 auth md5 § priv des §",
    "config user radius\n edit \"r\"\n  set secret §\n next\n",
    "createUser mon SHA \"§\" AES \"§\"",
    "com2sec readonly default §",
    "slappasswd -s §",
    "mysqladmin -u root -p\"§\" status",
    "mysqldump --password=§ -u root app > x",
    "curl -s --user admin:§ https://x.test/",
    "curl -sSu \"admin:§\" https://x.test/",
    "curl -H 'X-Api-Key: §' https://x.test",
    "sshpass -p§ ssh u@h",
    "PGPASSWORD=§ psql -h db -U app",
    "docker login -u app -p § registry.test",
    "echo § | docker login -u app --password-stdin registry.test",
    "docker run -e DB_PASSWORD=§ -e MODE=prod img",
    "redis-cli -h r -a § ping",
    "az login --service-principal -u app -p § --tenant t",
    "echo \"root:§\" | chpasswd",
    "#cloud-config\nchpasswd:\n  list: |\n    root:§\n    app:§\n  expire: false\n",
    "ldapsearch -D cn=admin -w § -b dc=x",
    "smbclient //h/s -U bob%§",
    "sqlcmd -S s -U sa -P § -Q q",
    "htpasswd -b /etc/h bob §",
    "net user bob § /add",
    "vault login §",
    "keytool -storepass § -keypass § -alias x",
    "rabbitmqctl add_user app §",
    "aws configure set aws_secret_access_key §",
    "sqlplus app/§@h",
    "jdbc:oracle:thin:app/§@//h:1521/svc",
    "u:§@tcp(h:3306)/d?parseTime=true",
    "CREATE USER 'a'@'%' IDENTIFIED BY '§';",
    "it's password='§'",
    "db: password='§' | x",
    "PlainLoginModule required\n  username=\"app\"\n  user_app=\"§\"\n  user_ops=\"§\";",
    "[smtp.test.org]:587 mailer:§\n",
    "user app on >§ ~app:* +get\n",
    "tacacs-server host h key §\n",
    "define( 'DB_PASSWORD', '§' );",
    "variable \"db_password\" {\n  type = string\n  default = \"§\"\n}\n",
    "const pass = process.env.P || \"§\";",
    "k = os.getenv(\"API_KEY\") or \"§\"",
    "MySQLdb.connect(\"h\",\"app\",\"§\",\"db\")",
    "client.connect(\"h\", 22, \"root\", \"§\")",
    "basic_auth \"admin\", \"§\"",
    "expect \"Login:\"; send \"bob\\r\"; expect \"Password:\"; send \"§\\r\"; interact",
    "mosquitto_passwd -b /etc/mosquitto/pw sensor §",
    "password for the break-glass account: §",
    "The db_password value § must contain a digit.",
    "{\"path\": \"config/db/password\", \"value\": \"§\"}",
    "cache_peer p parent 3128 0 no-query login=bob:§\n",
    "@vpn : XAUTH \"§\"\n",
    "user,password,role\nbob,§,admin\nann,§,dev\n",
    "host;user;passwort\r\ndb;app;§\r\n",
    "\"login\",\"password\"\n\"bob\",\"§\"\n",
    "name\tsecret_key\tnote\napp\t§\tx\n",
    "Accounts:\n\n| User | Password | Host |\n|------|:--------:|------|\n| bob | `§` | db1 |\n| ann | § | db2 |\n",
    " id | login | api_token \n----+-------+-----------\n  1 | bob   | §\n",
    "COPY public.users (id, login, password) FROM stdin;\n1\tbob\t§\n2\tann\t§\n\\.\n",
    "INSERT INTO users (name, password) VALUES ('bob', '§'), ('ann', '§')",
    "$password = ConvertTo-SecureString \"§\" -AsPlainText -Force",
    "Cookie: theme=dark; sid=§\nHost: x",
    "Authorization: Token §\n",
    "machine api.test login bob password §\nmachine b.test\n  login bob\n  password §\n",
    "db.test:5432:app:bob:§\n*:*:*:app:§\n",
    "for the job: db.test:5432:app:bob:§",
    "db:\n  password:\n    §\n  user: app\n",
    "java -Dapp_password=§ -jar app.jar",
    "apiVersion: v1\nkind: Secret\nstringData:\n  user: §\n  conf: §\ntype: Opaque\n",
    "env:\n- name: DB_PASSWORD\n  value: §\n- name: MODE\n  value: prod\n",
    "ParameterKey=DbPassword,ParameterValue=§",
    "passwords:\n  - §\n  - \"§\"\nuser: x\n",
    "passwords: [§, \"§\"]\nuser: x\n",
    "password = \"\"\"\n§\n\"\"\"\n",
    "  password = <<EOF\n§\nEOF\n",
    "db.password = §\ndb.user = a\n",
    "Driver={ODBC Driver 17};Uid=u;Pwd={§;x};Encrypt=True;",
    "<add key=\"ApiSecret\" value=\"§\" />",
    "<property name=\"password\"><value>§</value></property>",
    "<key>password</key><string>§</string>",
    "<entry key=\"db.password\">§</entry>",
    "<db:Password type=\"x\">§</db:Password>",
    "<password><![CDATA[§]]></password>",
    "smtps://apikey:§@h:465",
    "my password is §, keep it",
    "username admin password 7 §\nline vty 0 4\n",
    "username admin privilege 15 secret 5 §\n",
    "enable secret 9 §\nhostname r1\n",
    "enable password level 15 7 §\n",
    " neighbor 192.0.2.1 password 7 §\n",
    "tacacs-server key 7 §\nradius-server key §\n",
    " ntp authentication-key 1 md5 § 7\n",
    "crypto isakmp key 6 § address 198.51.100.1\n",
    "snmp-server community § RO 10\n",
    "snmp-server host 198.51.100.7 version 2c § udp-port 162\n",
    "rocommunity § 198.51.100.0/24\n",
    "net use Z: \\\\nas\\share § /user:CORP\\bob /persistent:yes",
    "net use \\\\nas\\share /user:bob §",
    "cmdkey /add:srv /user:bob /pass:§",
    "mysqli_connect('db.internal', 'admin', '§', 'shop');",
    "$dbh = DBI->connect(\"dbi:mysql:shop\", \"root\", \"§\");",
    "[Net.NetworkCredential]::new(\"admin\", \"§\")",
    "<AdministratorPassword><Value>§</Value><PlainText>true</PlainText></AdministratorPassword>",
    "$dbPassword .= \"§\";",
    "DB_PASSWORD ?= \"§\"",
    "var dbPassword string = \"§\"",
    "const dbPassword: &str = \"§\";",
    "if [ \"$PASSWORD\" == \"§\" ]; then",
    "setenv DB_PASSWORD §\n",
    "set -gx DB_PASSWORD §\n",
    "echo '§' > /etc/app/password",
    "cat > /run/secrets/db_password <<EOF\n§\nEOF\n",
    "printf '§' | gcloud secrets create db --data-file=-",
    "echo -n \"§\" | docker secret create db_password -",
    "gh secret set DB --body '§'",
    "password: {{ lookup('env','X') | default('§') }}",
    "password = ${var.x != \"\" ? var.x : \"§\"}",
    "password -> §",
    "**password**: §",
    "| password | § |",
    "Content-Disposition: form-data; name=\"password\"\r\n\r\n§\r\n--b",
    "password = ''§'';",
    "password => Sensitive('§'),",
    "connect(host='h', passwd=b'§')",
    "variables:\n  DEPLOY_PASSWORD:\n    value: \"§\"\n",
    "senha: §",
    "Contraseña: §",
    "пароль = §",
    "password：§ or so",
    "{\"key\":\"password\",\"val\":\"§\"}",
    "credentials = {\n  foo = \"§\"\n}\n",
    "secrets:\n  foo: §\n  type: opaque\n",
    "rootpw --plaintext §",
    "password was set to § by ops",
    "Das Passwort lautet §",
    "Authorization: Digest username=\"bob\", realm=\"r\", nonce=\"n\", uri=\"/\", response=\"6629fae49393a05397450978507c4ef1\"",
];

#[test]
fn the_secret_of_each_place_goes_and_the_rest_stays() {
    let rules = rules();
    let mut wrong = Vec::new();
    for place in PLACES {
        let expected = place.replace("§;x", CRED).replace('§', CRED).replace(DIGEST, CRED);
        let text = place.replace('§', SECRET);
        let got = redact(&rules, "script", &text);
        if got != expected {
            wrong.push(format!("is     {got:?}\nshould {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const STAYS: &[&str] = &[
    "mkdir -p /srv/app && docker run -p 8080:80 img",
    "mysql -u root -p -h db",
    "mysql -u root -p$DB_PW -h db",
    "curl -u $USER:$PASS https://x.test/",
    "curl -fsSL https://x.test/install.sh | sh",
    "echo $TOKEN | docker login -u app --password-stdin registry.test",
    "vault login -method=aws",
    "tar czf - . | gzip -p",
    "state machine password policy",
    "arn:aws:logs:*:*:log-group:app:x",
    "kind: SecretProviderClass\ndata:\n  user: admin\n",
    "passwords:\n  - name: app\n    length: 12\n",
    "INSERT INTO users (name, mode) VALUES ('bob', 'x')",
    "the password is required and the token is base64",
    "<property name=\"timeout\"><value>30</value></property>",
    "- name: MODE\n  value: prod",
    "password:\n  length: 12\n",
    "secret:\nnext\n",
    "depends on >= 2.0 with ~ 3",
    "DigestLoginModule required; user_agent=\"curl/8\"",
    "connect [::1]:25 now",
    "Пароль: не менее 12 символов, смена каждые 90 дней.",
    "password: !vault prod/db",
    "password: !Sub '{{resolve:secretsmanager:${Secret}:SecretString:password}}'",
    "password: {{resolve:secretsmanager:prod/db:SecretString:password}}",
    "DB_PASSWORD=awssm://prod/db?key=password",
    "curl \"https://api.example.com/v1?api_key=YOUR_API_KEY&limit=10\"",
    "https://example.com/reset?token=:token",
    "openssl req -x509 -passout env:KEY_PASS -subj /CN=x",
    "passwd: \"*\"",
    "passwd: \"!\"",
    "Authorization: AWS4-HMAC-SHA256",
    "object({ password = string, token = optional(string, \"\") })",
    "{\"Password\":{\"Ref\":\"DBPassword\"},\"stop_token\":\"<|endoftext|>\"}",
    "(http.request.uri.query contains \"token=\") or (http.request.headers[\"x\"][0] eq 1)",
    "where url contains 'token=' | extend h = hash_sha256(user_Id) | project timestamp, resultCode",
    "[concat('DefaultEndpointsProtocol=https;AccountKey=', listKeys(variables('storageId'), '2019-06-01').keys[0].value)]",
    "NEW.token := encode(gen_random_bytes(32), 'hex');",
    "{\"clientSecret\":\"$dex-oidc:clientSecret\",\"apiKey\":\"context.authorizer.apiKey\"}",
    "{\"password.$\": \"States.StringToJson($.SecretString).password\"}",
    "{\"forgotPasswordText\":\"Forgot password?\",\"password\":\"Mot de passe\",\"db_password\":\"Wrong username or password\"}",
    "{\"password\":\"required|min:12\",\"eos_token\":\"</s>\"}",
    "password: *db_password",
    "password: ssm:/prod/db/password",
    "password: keyvault://kv/db",
    "password=@@PASSWORD@@",
    "password=#{Database.Password}#",
    "InstrumentationKey=00000000-0000-0000-0000-000000000000",
    "amqps://{user}:{pass}@mq.example.com/vhost",
    "jdbc:postgresql://h/db?user=app&password=${DB_PASSWORD}",
    "password: varchar(255) NOT NULL",
    "password: Optional[str] = None",
    "password = get_password()",
    "password: YOUR_PASSWORD_HERE",
    "Passwort: mindestens 12 Zeichen",
    "Mot de passe: obligatoire",
    "비밀번호: 필수",
    "first_name: string",
    "amazonses:LhVCUHIkwtNEhGFEsV2xuQD2hOZVEqGvFpTLtX6ZLxM=",
    "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    "/nix/store/8p3nnb4w1nq3m8zqqq7dwkd0g4xv2b5k-hello-2.12",
    "password: TBD",
    "password: unchanged",
    "api_key: disabled",
    "password: [hidden]",
    "variable \"token_ttl\" {\n  default = 3600\n}\n",
    "variable \"password_length\" {\n  default = \"min16-Chars\"\n}\n",
    "const mode = process.env.MODE || \"production\";",
    "expect \"Login:\"; send \"operator-1\\r\"",
    "mqtt_client.connect(\"broker\", 1883, 60)",
    "{\"path\": \"/metadata/labels\", \"value\": \"team-A1\"}",
    "name,password_required,region\nweb1,true,eu-west-1\nweb2,false,us-east-1\n",
    "service,secret,owner\napi,app-db-credentials,team-a\n",
    "| Field | Password | Type |\n|---|---|---|\n| length | 16 chars | int |\n",
    "user, password, host\nall of these, are needed, to connect2\n",
    "[\n  \"user\",\n  \"password\",\n  \"host1-a\"\n]",
    "the token 5 times\nand the secret 7 days later\n",
    "net use Z: \\\\nas\\share * /user:bob",
    "snmp-server community public RO",
    "[REDACTED:credential]:19000:0:99999:7:::",
    "mysqli_connect($host, $user, $password)",
    "<input name=\"password\" type=\"text\" class=\"wide\">",
    "the API key: rotated weekly",
    "the access token is opaque",
    "deepgram_key: /etc/keys/deepgram",
    "linear_key: home.title",
    "key: builds/2024/app.zip",
    "key: app-deployment-frontend-blue",
    "sudo: ALL=(ALL) NOPASSWD:ALL",
    "Password: managed by Vault",
    "Rotate password: every 90 days",
    "PIN: 4 digits",
    "password = random_password.db.result",
    "password = os.environ['DB_PASSWORD']",
    "passwd: files",
    "PWD=/app",
    "id-token: write",
    "DB_PASSWORD: prod/db/password",
    "token=\"$http_x_token_id\"",
    "TOKEN=`cat /run/token`",
    "| credential | redact |",
];

#[test]
fn what_only_resembles_such_a_place_stays() {
    let rules = rules();
    let mut wrong = Vec::new();
    for text in STAYS {
        let got = redact(&rules, "script", text);
        if got != *text {
            wrong.push(format!("is     {got:?}\nshould {text:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What has no format of its own is told by the service that it is a key of, or by two words of a sentence.
#[test]
fn what_a_service_calls_its_key_goes() {
    let rules = rules();
    let (hex, uuid) =
        (["948c19ecde2818a1", "a357fffb14d2fc2a"].concat(), "7b41d2a6-0c5e-4f0b-9d3a-5d1c27e08f63");
    let words =
        ["about gravity hollow mirror ", "zebra tunnel pepper saddle ", "velvet onion crane acid"].concat();
    for (text, secret) in [
        (format!("deepgram_key = {hex}"), hex.as_str()),
        (format!("SNYK_KEY={uuid}"), uuid),
        (format!("FAL_KEY={uuid}:{hex}"), &format!("{uuid}:{hex}")),
        (format!("agent link --key={hex} --host=m"), &hex),
        (format!("upstash management API key: \"{uuid}\""), uuid),
        (format!("owlbot TOKEN {hex}"), &hex),
        (format!("ETHEREUM_MNEMONIC: {words}"), &words),
        (format!("seed_phrase = {words}\nnetwork: main"), &words),
        (format!("X-Auth:{hex}a"), &format!("{hex}a")),
    ] {
        assert_eq!(redact(&rules, "script", &text), text.replace(secret, CRED), "{text}");
    }
    for (key, value) in
        [("deepgram_key", hex.as_str()), ("assemblyai", &hex), ("statuspage_api", uuid), ("smtp_auth", &hex)]
    {
        assert_eq!(redact(&rules, key, value), CRED, "{key}");
    }
    for (key, value) in [
        ("smtp_auth", "login"),
        ("linear_key", "home.title"),
        ("deepgram_key", "my-deepgram-key"),
        ("linear", &hex),
    ] {
        assert_eq!(redact(&rules, key, value), value, "{key}");
    }
}

#[test]
fn an_address_that_is_a_key_loses_its_password() {
    let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
    let key = format!("app:{}@tcp(db.internal:3306)/shop", "k7Qz-mVx2-9w");
    RuleSet::builtin().inspect_key(&key, &mut scratch, &mut hits);
    let found: Vec<&str> = hits.iter().map(|hit| &key[hit.start..hit.end]).collect();
    assert_eq!(found, ["k7Qz-mVx2-9w"]);
}

#[test]
fn a_header_that_is_a_key_loses_its_token() {
    let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
    let token = ["MOJZLxCoOSVx", "sONgNtZd"].concat();
    for (key, found) in [
        (format!("PRIVATE-TOKEN: {token}"), vec![token.as_str()]),
        (format!("PASSWORD={token}"), vec![token.as_str()]),
        ("Note: the password policy".to_owned(), Vec::new()),
        ("arn:aws:iam::123456789012:role/token-reader".to_owned(), Vec::new()),
    ] {
        RuleSet::builtin().inspect_key(&key, &mut scratch, &mut hits);
        let got: Vec<&str> = hits.iter().map(|hit| &key[hit.start..hit.end]).collect();
        assert_eq!(got, found, "{key}");
    }
}
