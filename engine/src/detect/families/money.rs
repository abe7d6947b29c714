//! Payments and banking.

use super::{Family, token};

#[rustfmt::skip]
pub(super) const ROWS: &[Family] = &[
    token("cashfree-secret", "Cashfree client secret", &[r"cfsk_ma_prod_\h{32}_\h{8}", r"cfsk_ma_test_\h{32}_\h{8}"], "https://www.cashfree.com/docs/api-reference/authentication"),
    token("efi-client-secret", "Efi client secret", &[r"Client_Secret_\h{40}"], "https://dev.efipay.com.br/docs/api-pix/credenciais"),
    token("stripe-secret-key", "Stripe secret key", &[r"sk_live_\s{16,}", r"sk_test_\s{16,}", r"sk_org_live_\s{16,}", r"sk_prod_\s{16,}"], "https://docs.stripe.com/keys"),
    token("stripe-restricted-key", "Stripe restricted key", &[r"rk_live_\s{16,}", r"rk_test_\s{16,}", r"rk_prod_\s{16,}"], "https://docs.stripe.com/keys"),
    token("stripe-webhook-secret", "Stripe or Svix webhook signing secret", &[r"whsec_[A-Za-z0-9+/=_-]{24,}"], "https://docs.stripe.com/webhooks/signature"),
    token("square-token", "Square access token", &[r"EAAA[A-Za-z0-9_+=-]{56,}", r"sq0atp-\s{22}", r"sq0csp-\s{43}", r"sandbox-sq0\l{3}-\s{22,43}"], "https://developer.squareup.com/docs/build-basics/access-tokens"),
    token("paypal-braintree-token", "Braintree access token", &[r"access_token\$production\$\l{16}\$\h{32}", r"access_token\$sandbox\$\l{16}\$\h{32}"], "https://developer.paypal.com/braintree/docs"),
    token("adyen-key", "Adyen key", &[r"AQE[a-z]hm[A-Za-z0-9+/=_.-]{62,}"], "https://docs.adyen.com/development-resources/api-credentials"),
    token("flutterwave-encryption-key", "Flutterwave encryption key", &[r"FLWSECK_TEST\h{12}", r"FLWSECK_TEST-\h{12}"], "https://developer.flutterwave.com/docs/encryption"),
    token("razorpay-key", "Razorpay key", &[r"rzp_live_\a{14}", r"rzp_test_\a{14}"], "https://razorpay.com/docs/payments/dashboard/account-settings/api-keys/"),
    token("flutterwave-key", "Flutterwave key", &[r"FLWSECK-\h{32}-X", r"FLWSECK_TEST-\h{32}-X", r"FLWSECK-\a{20,}-X", r"FLWSECK_TEST-\a{20,}-X"], "https://developer.flutterwave.com/docs/authentication"),
    token("plaid-token", "Plaid access token", &[r"access-sandbox-[0-9a-f-]{36}", r"access-development-[0-9a-f-]{36}", r"access-production-[0-9a-f-]{36}"], "https://plaid.com/docs/api/items/"),
    token("gocardless-token", "GoCardless token", &[r"live_[A-Za-z0-9_=-]{40}", r"sandbox_[A-Za-z0-9_=-]{40}"], "https://developer.gocardless.com/api-reference/"),
    token("checkout-key", "Checkout.com secret key", &[r"sk_[a-z0-9]{26}\*", r"sk_sbox_[a-z0-9]{26}", r"sk_\h{8}-\h{4}-\h{4}-\h{4}-\h{12}"], "https://www.checkout.com/docs/developer-resources/api/manage-api-keys"),
    token("mollie-key", "Mollie key", &[r"live_\a{30}", r"test_\a{30}", r"access_\a{30,}"], "https://docs.mollie.com/reference/authentication"),
    token("paddle-key", "Paddle key", &[r"pdl_live_apikey_\l{26}_\a{22}_\a{3}", r"pdl_sdbx_apikey_\l{26}_\a{22}_\a{3}", r"pdl_ntfset_\w{20,}"], "https://developer.paddle.com/api-reference/about/api-keys"),
    token("polar-token", "Polar token", &[r"polar_oat_\s{30,}", r"polar_pat_\s{30,}"], "https://polar.sh/docs/integrate/authentication"),
    token("xendit-key", "Xendit key", &[r"xnd_production_\a{40,}", r"xnd_development_\a{40,}"], "https://docs.xendit.co/api-integration/api-keys"),
    token("midtrans-key", "Midtrans server key", &[r"Mid-server-\s{20,}", r"SB-Mid-server-\s{20,}"], "https://docs.midtrans.com"),
    token("mercadopago-token", "Mercado Pago token", &[r"APP_USR-\d{10,20}-\d{6}-\h{32}-\d{5,12}", r"TEST-\d{10,20}-\d{6}-\h{32}-\d{5,12}"], "https://www.mercadopago.com/developers/en/docs/your-integrations/credentials"),
    token("asaas-key", "Asaas key", &[r"\$aact_\a{40,}", r"\$aact_[A-Za-z0-9_:$-]{60,}"], "https://docs.asaas.com/docs/autenticacao"),
    token("omise-key", "Omise secret key", &[r"skey_test_\l{19,}", r"skey_\l{19,}"], "https://docs.omise.co/api-authentication"),
    token("ramp-secret", "Ramp client secret", &[r"ramp_sec_\a{30,}"], "https://docs.ramp.com"),
    token("wepay-token", "WePay access token", &[r"STAGE_\h{62,64}", r"PRODUCTION_\h{62,64}"], "https://developer.wepay.com"),
    token("woocommerce-key", "WooCommerce consumer key or secret", &[r"ck_\h{40}", r"cs_\h{40}"], "https://woocommerce.com/document/woocommerce-rest-api/"),
    token("robinhood-key", "Robinhood key", &[r"rh-api-[0-9a-f-]{36}"], "https://docs.robinhood.com"),
];
