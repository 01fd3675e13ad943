call edgeauth_arrive;
