call edgeauth_sign;
